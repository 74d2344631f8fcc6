# The study of the schedule: Monte Carlo over the token's own plan, baselines, attacks, pictures. A model throughout.
