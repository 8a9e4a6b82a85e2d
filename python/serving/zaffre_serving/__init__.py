"""Scoring workers of Zaffre. Standard library only."""
