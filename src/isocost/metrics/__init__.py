"""Metrics of drawn solutions.

Coverage, diversity, majority votes, and the intervals around them. Arrays in, arrays or estimates out.
"""
