"""What runs in the sandbox. Standard library only: nothing else of isocost, and no installed package, can be seen from there.

The server waits for samples and forks a process for each; imports are paid once. What keeps samples from the machine is bubblewrap's
(no network, a system that cannot be written, no other process to be seen). What keeps them from the server and from each other is made
anew for each sample, in `walls`: a PID namespace of its own, in which the server has no number to be named by and which the kernel empties
when the sample ends; a /tmp of its own; no capability, no fork, no exec; limits.
"""
