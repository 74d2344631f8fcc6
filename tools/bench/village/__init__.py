"""A village of synthetic people: whom lists reach, from which kiosks, and what it costs. A model."""
