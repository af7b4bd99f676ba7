"""Vendors' and exchanges' own formats: one module a format, and what formats of one vendor or shape share."""
