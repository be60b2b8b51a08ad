"""pyproxy: an HTTPS gateway for LLM APIs in one Python process."""

__version__ = "0.1.0"
