"""How others name the tensors of a family: one file per family with `TABLES`, a `KeyTable` by style."""
