"""How fast the queue is: a receiver, workers, and the count at the receiving side."""
