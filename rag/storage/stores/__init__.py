"""What a library keeps, a store for each noun: `Library` holds one of each.

Transactions open and close here; what happens in them is in the file of its noun, a floor below.
All methods are synchronous and may be called from several threads.
"""
