"""The word index: rows on disk (tantivy), newer rows in memory, one ranking (BM25) over both."""
