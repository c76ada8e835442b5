"""Values and calls between a program and its tests, which run in two processes.

plain     the values that cross as copies: which they are, and how the mutable ones are read and filled
specials  the special methods that cross, and which of them compare
table     what both sides know by number: exported objects, shared containers, proxies
encoding  values to JSON: a list of nodes that refer to each other, so that sharing and cycles survive
decoding  JSON to values; what it builds is of this process's own types
mirrors   classes that stand for the classes of the other process, and their instances, the proxies
peer      one end of the socket: calls, answers, and calls that come in while an answer is awaited
actions   what a peer does for the other one: calls, attributes, operators
streams   standard input and output that tests have replaced

The tests' side believes nothing: JSON is parsed, never unpickled, and every type comes from a table of its own. The program's side may be
corrupted by the program in any way, and then only says other values.
"""
