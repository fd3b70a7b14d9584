"""Transfer: what a network has learnt of other pictures, used for new ones."""
