"""The second demo: a simulated merchant of building materials, with companies, their contact persons and an experiment.

Belongs here: making up its landing zone (generate.py), what it sells and to whom (catalogue.py, people.py).
Does not belong here: where the demo is written and when (orchestration/landing/demo.py), its treatments and other seeds
(demos/merchant/seeds).
"""
