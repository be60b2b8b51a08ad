"""Measurements: pyproxy beside what people use instead, and the cost of a request by itself."""
