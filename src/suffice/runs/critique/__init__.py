"""Fine-tuning on critiques of solutions to one problem, with the controls that tell what it did."""
