"""Who would harm a token: garbage, eavesdroppers, thieves, on the bench. Attacks the firmware that ships."""
