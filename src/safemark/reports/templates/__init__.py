"""The pages, and the words that all of them share."""
