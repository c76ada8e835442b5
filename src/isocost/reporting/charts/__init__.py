"""Charts on matplotlib axes, and figures as SVG that follows light, dark and print. matplotlib is imported when something is drawn."""
