"""Costs that every machine rounds alike, and what checks of them say."""
