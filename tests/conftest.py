from hypothesis import settings

# A busy machine is no mistake: properties are tested, not speed.
settings.register_profile("isocost", deadline=None)
settings.load_profile("isocost")
