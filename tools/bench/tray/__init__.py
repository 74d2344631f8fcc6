# The kiosk's demonstration: its page beside a panel with three tokens on the bench, in true time.
