"""Read Indonesian news on human trafficking: label it by modus, find its topics, track the experiments."""

__all__ = ["__version__"]

__version__ = "0.1.0"
