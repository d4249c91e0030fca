from app.report import report
from app.source import get_data

print(len(get_data()))
print(report())
