"""What a shop's own categories mean to who buys them: written down by the shop, with proposals it may take or leave.

    vocabulary.csv   words of category names in several trades and languages, and what they usually mean
    propose.py       the file of categories, its proposals, and the seed that is made of the answers
    commands.py      `make meanings`

Nothing that is proposed counts before a person has taken the mark off it.
"""
