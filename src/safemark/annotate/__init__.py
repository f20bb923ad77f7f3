"""Labels by hand: people judge a sample of stored records, blind to the judge.

drawing.py   which records: some by lot, some because they teach most, kept apart
sheet.py     what one person has before them, agreement, adjudication, the calibration
page.py      a local page to label on; the terminal is the command line's own affair
"""
