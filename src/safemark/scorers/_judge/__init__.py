"""What judge scorers are made of: the question, how its word is read, and what is done when not.

    question.py     what a judge is asked of one answer, the answer fenced in
    reading.py      strict reading of verdicts: one, in its place, or none
    asking.py       every attempt judged, asked once more where unreadable, the worst counts
    published.py    the questions of papers, word for word (prompts/)
    policy.py       safe or unsafe by a written policy, with its categories
    rubric.py       a question of one's own, from a file
    classifiers.py  models trained to judge, asked as they were trained
    votes.py        several scorers on one answer
    injections.py   how often a judge is talked round by the answer that it judges

What becomes of a score, and which model judges, is known to `safemark.judging`.
"""
