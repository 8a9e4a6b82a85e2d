"""Stand-in for the small part of azureml that scoring scripts import; a real package always comes first."""

__path__ = __import__("pkgutil").extend_path(__path__, __name__)
