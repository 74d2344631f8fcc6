"""A phone that does a kiosk's work: its page as static files, for any HTTPS host."""
