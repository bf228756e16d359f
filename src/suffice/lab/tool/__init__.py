"""The family ``tool``: orders on a store of coded records, carried out by calls whose end state is checked."""
