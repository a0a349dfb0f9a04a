"""What is wrong with a folder. The room has the name of its one public function, so it is that function when called:
`fastlab.check(folder)` works whichever of the two was imported first."""
import sys
from types import ModuleType


class _Room(ModuleType):
    def __call__(self, *arguments, **options):
        from fastlab.check.folder import check
        return check(*arguments, **options)


sys.modules[__name__].__class__ = _Room
