"Advice: which Recipe fits a folder, found within a given time and said with its evidence."
from fastlab.study.advise.advising import Advice, advise

__all__ = ["Advice", "advise"]
