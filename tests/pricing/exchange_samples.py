"""What the files of the European Central Bank look like."""

DAILY_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
 xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
\t<gesmes:subject>Reference rates</gesmes:subject>
\t<gesmes:Sender>
\t\t<gesmes:name>European Central Bank</gesmes:name>
\t</gesmes:Sender>
\t<Cube>
\t\t<Cube time='2026-11-20'>
\t\t\t<Cube currency='USD' rate='1.0860'/>
\t\t\t<Cube currency='JPY' rate='168.45'/>
\t\t</Cube>
\t</Cube>
</gesmes:Envelope>"""

_THURSDAY = b"<Cube time='2026-11-19'><Cube currency='USD' rate='1.08'/></Cube>"
HISTORY_XML = DAILY_XML.replace(b"\t\t</Cube>\n", b"\t\t</Cube>\n" + _THURSDAY + b"\n")

DAILY_CSV = b"Date, USD, JPY, \n20 November 2026, 1.0860, 168.45, \n"

HISTORY_CSV = b"Date,USD,JPY,CYP,\n2026-11-20,1.0860,168.45,N/A,\n2026-11-19,1.08,N/A,N/A,\n"
