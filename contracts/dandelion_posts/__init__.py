"""How the text of a post is read: its normal form on a platform (normal_form.py) and the label it carries (labels.py).

Campaigns and compliance read by the same functions, and so can whoever wants to check a hash that they published.
"""
