"""Values and calls between a program and its tests, which run in two processes.

plain     the values that cross as copies, and how the mutable ones are read and filled
specials  the special methods that cross, and which of them compare
table     the objects that both sides know by number: exported objects, shared containers, proxies
encoding  values to JSON: a list of nodes that refer to each other, so that sharing and cycles survive
decoding  JSON to values; all are of this process's own types
mirrors   classes that stand for the classes of the other process, and their instances, the proxies
claims    mirrors as virtual subclasses of classes of the standard library
peer      one end of the pipes: calls, answers, and calls that arrive while an answer is awaited
actions   the actions that a peer does for the other one: calls, attributes, operators
settings  settings of the interpreter that tests have changed
streams   standard input and output that tests have replaced

The tests' side trusts nothing: JSON is parsed, never unpickled, and every type comes from a table of its own. The program may corrupt
its side in any way, and can then only send other values.
"""
