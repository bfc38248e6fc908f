"""Other people's programs on what is published: other versions, other tools, each as its registry has it."""
