"""Code that runs in the sandbox. Standard library only: nothing else of isocost, and no installed package, can be seen from there.

The server waits for samples and forks two processes for each, one for the program (`sample`) and one for its tests (`judge`); imports are
paid once. They speak by the modules of `crossing`. What keeps samples from the machine is bubblewrap's (no network, a system that cannot be
written, no other process to be seen). What keeps them from the server and from each other is made anew for each sample, in `walls`: a PID
namespace for the program, in which neither the server nor the tests have a number to be named by and which the kernel empties when the
sample ends; a /tmp that program and tests share; no capability, no fork, no exec; limits.
"""
