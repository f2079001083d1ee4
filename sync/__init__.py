"""The order of work: what is stored, and pull, check, plan, apply and audit over it."""
