"""Calls that go through the batch API of an endpoint: many in one file, reserved as a whole, collected hours later."""
