import os

from hypothesis import settings

# A busy machine is no mistake: properties are tested, not speed. And what passed once passes again, unless somebody looks for more.
settings.register_profile("isocost", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("ISOCOST_HYPOTHESIS", "isocost"))
