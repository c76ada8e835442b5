"""Code that runs in the sandbox. It may import the standard library only: isocost and installed packages are not mounted there.

The server waits for samples and forks two processes for each, one for the program (`sample`) and one for its tests (`judge`), so imports
are paid once. The two communicate by the modules of `crossing`. bubblewrap isolates samples from the machine (no network, a read-only
system, no other process visible). `isolation` isolates them from the server and from each other, anew for each sample: a PID namespace for
the program, in which neither the server nor the tests have a PID and which the kernel empties when the sample ends; a /tmp that program
and tests share; no capability, no fork, no exec; limits.
"""
