"""Sample and grade what the cells ask for; the stored draws are the state."""
