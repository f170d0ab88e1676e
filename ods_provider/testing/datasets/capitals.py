"""``world-capitals``: 110 capitals, with names in their own scripts; small enough for a unit test."""

from __future__ import annotations

from typing import Any

from ods_provider.testing.schema import Column, DatasetState

# name | ascii name | country code | country | population | latitude | longitude | time zone | also called
_ROWS = """
Kābul|Kabul|AF|Afghanistan|3043532|34.528|69.172|Asia/Kabul|کابل
Tirana|Tirana|AL|Albania|418495|41.327|19.819|Europe/Tirane|Tiranë
Algiers|Algiers|DZ|Algeria|1977663|36.753|3.042|Africa/Algiers|الجزائر,Alger
Andorra la Vella|Andorra la Vella|AD|Andorra|20430|42.508|1.521|Europe/Andorra|
Luanda|Luanda|AO|Angola|2776168|-8.837|13.234|Africa/Luanda|
Buenos Aires|Buenos Aires|AR|Argentina|13076300|-34.613|-58.377|America/Argentina/Buenos_Aires|
Yerevan|Yerevan|AM|Armenia|1093485|40.182|44.515|Asia/Yerevan|Երևան
Canberra|Canberra|AU|Australia|367752|-35.283|149.128|Australia/Sydney|
Vienna|Vienna|AT|Austria|1691468|48.208|16.373|Europe/Vienna|Wien,Bécs
Baku|Baku|AZ|Azerbaijan|1116513|40.378|49.892|Asia/Baku|Bakı
Manama|Manama|BH|Bahrain|147074|26.228|50.586|Asia/Bahrain|المنامة
Dhaka|Dhaka|BD|Bangladesh|10356500|23.710|90.407|Asia/Dhaka|ঢাকা
Minsk|Minsk|BY|Belarus|1742124|53.900|27.567|Europe/Minsk|Мінск
Brussels|Brussels|BE|Belgium|1019022|50.850|4.349|Europe/Brussels|Bruxelles,Brussel
Belmopan|Belmopan|BZ|Belize|13381|17.250|-88.767|America/Belize|
Porto-Novo|Porto-Novo|BJ|Benin|234168|6.497|2.604|Africa/Porto-Novo|
Thimphu|Thimphu|BT|Bhutan|98676|27.466|89.642|Asia/Thimphu|
Sucre|Sucre|BO|Bolivia|224838|-19.033|-65.263|America/La_Paz|
Sarajevo|Sarajevo|BA|Bosnia and Herzegovina|696731|43.849|18.356|Europe/Sarajevo|
Gaborone|Gaborone|BW|Botswana|208411|-24.655|25.909|Africa/Gaborone|
Brasília|Brasilia|BR|Brazil|2207718|-15.780|-47.930|America/Sao_Paulo|
Sofia|Sofia|BG|Bulgaria|1152556|42.698|23.324|Europe/Sofia|София
Ouagadougou|Ouagadougou|BF|Burkina Faso|1086505|12.366|-1.534|Africa/Ouagadougou|
Phnom Penh|Phnom Penh|KH|Cambodia|1573544|11.562|104.916|Asia/Phnom_Penh|ភ្នំពេញ
Yaoundé|Yaounde|CM|Cameroon|1299369|3.867|11.517|Africa/Douala|
Ottawa|Ottawa|CA|Canada|812129|45.411|-75.698|America/Toronto|
N'Djamena|N'Djamena|TD|Chad|721081|12.107|15.044|Africa/Ndjamena|
Santiago|Santiago|CL|Chile|4837295|-33.457|-70.648|America/Santiago|
Beijing|Beijing|CN|China|18960744|39.908|116.397|Asia/Shanghai|北京,Peking
Bogotá|Bogota|CO|Colombia|7674366|4.610|-74.082|America/Bogota|
San José|San Jose|CR|Costa Rica|335007|9.933|-84.083|America/Costa_Rica|
Zagreb|Zagreb|HR|Croatia|698966|45.814|15.978|Europe/Zagreb|
Havana|Havana|CU|Cuba|2163824|23.133|-82.383|America/Havana|La Habana
Nicosia|Nicosia|CY|Cyprus|200452|35.175|33.364|Asia/Nicosia|Λευκωσία,Lefkoşa
Prague|Prague|CZ|Czechia|1165581|50.088|14.421|Europe/Prague|Praha
Copenhagen|Copenhagen|DK|Denmark|1153615|55.676|12.566|Europe/Copenhagen|København
Djibouti|Djibouti|DJ|Djibouti|623891|11.589|43.145|Africa/Djibouti|
Quito|Quito|EC|Ecuador|1399814|-0.230|-78.525|America/Guayaquil|
Cairo|Cairo|EG|Egypt|7734614|30.063|31.250|Africa/Cairo|القاهرة
Asmara|Asmara|ER|Eritrea|563930|15.339|38.931|Africa/Asmara|
Tallinn|Tallinn|EE|Estonia|394024|59.437|24.754|Europe/Tallinn|
Addis Ababa|Addis Ababa|ET|Ethiopia|2757729|9.025|38.747|Africa/Addis_Ababa|አዲስ አበባ
Suva|Suva|FJ|Fiji|77366|-18.142|178.442|Pacific/Fiji|
Helsinki|Helsinki|FI|Finland|558457|60.170|24.935|Europe/Helsinki|Helsingfors
Paris|Paris|FR|France|2138551|48.853|2.349|Europe/Paris|
Tbilisi|Tbilisi|GE|Georgia|1049498|41.694|44.834|Asia/Tbilisi|თბილისი
Berlin|Berlin|DE|Germany|3426354|52.524|13.411|Europe/Berlin|
Accra|Accra|GH|Ghana|1963264|5.556|-0.197|Africa/Accra|
Athens|Athens|GR|Greece|664046|37.984|23.728|Europe/Athens|Αθήνα
Nuuk|Nuuk|GL|Greenland|14798|64.183|-51.722|America/Nuuk|
Conakry|Conakry|GN|Guinea|1767200|9.538|-13.677|Africa/Conakry|
Port-au-Prince|Port-au-Prince|HT|Haiti|1234742|18.539|-72.335|America/Port-au-Prince|
Budapest|Budapest|HU|Hungary|1741041|47.498|19.040|Europe/Budapest|
Reykjavík|Reykjavik|IS|Iceland|118918|64.135|-21.895|Atlantic/Reykjavik|
New Delhi|New Delhi|IN|India|317797|28.636|77.224|Asia/Kolkata|नई दिल्ली
Jakarta|Jakarta|ID|Indonesia|8540121|-6.215|106.845|Asia/Jakarta|
Tehran|Tehran|IR|Iran|7153309|35.694|51.422|Asia/Tehran|تهران
Baghdad|Baghdad|IQ|Iraq|7216000|33.341|44.401|Asia/Baghdad|بغداد
Dublin|Dublin|IE|Ireland|1024027|53.333|-6.249|Europe/Dublin|Baile Átha Cliath
Jerusalem|Jerusalem|IL|Israel|801000|31.769|35.216|Asia/Jerusalem|ירושלים
Rome|Rome|IT|Italy|2318895|41.892|12.511|Europe/Rome|Roma
Kingston|Kingston|JM|Jamaica|937700|17.997|-76.794|America/Jamaica|
Tokyo|Tokyo|JP|Japan|8336599|35.690|139.692|Asia/Tokyo|東京
Amman|Amman|JO|Jordan|1275857|31.955|35.945|Asia/Amman|عمان
Astana|Astana|KZ|Kazakhstan|345604|51.180|71.446|Asia/Almaty|Астана
Nairobi|Nairobi|KE|Kenya|2750547|-1.283|36.817|Africa/Nairobi|
Pristina|Pristina|XK|Kosovo|198897|42.673|21.167|Europe/Belgrade|Prishtinë
Kuwait City|Kuwait City|KW|Kuwait|60064|29.370|47.978|Asia/Kuwait|
Vientiane|Vientiane|LA|Laos|196731|17.967|102.600|Asia/Vientiane|ວຽງຈັນ
Riga|Riga|LV|Latvia|742572|56.946|24.106|Europe/Riga|Rīga
Beirut|Beirut|LB|Lebanon|1916100|33.893|35.502|Asia/Beirut|بيروت
Tripoli|Tripoli|LY|Libya|1150989|32.887|13.191|Africa/Tripoli|
Vaduz|Vaduz|LI|Liechtenstein|5197|47.142|9.521|Europe/Vaduz|
Vilnius|Vilnius|LT|Lithuania|542366|54.689|25.280|Europe/Vilnius|
Luxembourg|Luxembourg|LU|Luxembourg|76684|49.612|6.130|Europe/Luxembourg|Lëtzebuerg
Antananarivo|Antananarivo|MG|Madagascar|1391433|-18.914|47.536|Indian/Antananarivo|
Kuala Lumpur|Kuala Lumpur|MY|Malaysia|1453975|3.141|101.687|Asia/Kuala_Lumpur|
Bamako|Bamako|ML|Mali|1297281|12.650|-8.000|Africa/Bamako|
Valletta|Valletta|MT|Malta|6794|35.900|14.515|Europe/Malta|
Mexico City|Mexico City|MX|Mexico|12294193|19.428|-99.128|America/Mexico_City|Ciudad de México
Chișinău|Chisinau|MD|Moldova|635994|47.006|28.858|Europe/Chisinau|
Monaco|Monaco|MC|Monaco|32965|43.733|7.417|Europe/Monaco|
Ulaanbaatar|Ulaanbaatar|MN|Mongolia|844818|47.908|106.883|Asia/Ulaanbaatar|Улаанбаатар
Podgorica|Podgorica|ME|Montenegro|136473|42.441|19.264|Europe/Podgorica|
Rabat|Rabat|MA|Morocco|1655753|34.013|-6.833|Africa/Casablanca|الرباط
Maputo|Maputo|MZ|Mozambique|1191613|-25.966|32.583|Africa/Maputo|
Windhoek|Windhoek|NA|Namibia|268132|-22.559|17.083|Africa/Windhoek|
Kathmandu|Kathmandu|NP|Nepal|1442271|27.702|85.321|Asia/Kathmandu|काठमाडौं
Amsterdam|Amsterdam|NL|Netherlands|741636|52.374|4.890|Europe/Amsterdam|
Wellington|Wellington|NZ|New Zealand|381900|-41.287|174.776|Pacific/Auckland|
Niamey|Niamey|NE|Niger|774235|13.514|2.110|Africa/Niamey|
Abuja|Abuja|NG|Nigeria|590400|9.058|7.489|Africa/Lagos|
Oslo|Oslo|NO|Norway|580000|59.913|10.746|Europe/Oslo|
Islamabad|Islamabad|PK|Pakistan|601600|33.722|73.043|Asia/Karachi|
Panamá|Panama|PA|Panama|408168|8.994|-79.519|America/Panama|
Asunción|Asuncion|PY|Paraguay|1482200|-25.286|-57.647|America/Asuncion|
Lima|Lima|PE|Peru|7737002|-12.043|-77.028|America/Lima|
Manila|Manila|PH|Philippines|1600000|14.604|120.982|Asia/Manila|
Warsaw|Warsaw|PL|Poland|1702139|52.230|21.012|Europe/Warsaw|Warszawa
Lisbon|Lisbon|PT|Portugal|517802|38.717|-9.133|Europe/Lisbon|Lisboa
Bucharest|Bucharest|RO|Romania|1877155|44.432|26.106|Europe/Bucharest|București
Kigali|Kigali|RW|Rwanda|745261|-1.950|30.059|Africa/Kigali|
Riyadh|Riyadh|SA|Saudi Arabia|4205961|24.688|46.722|Asia/Riyadh|الرياض
Dakar|Dakar|SN|Senegal|2476400|14.694|-17.444|Africa/Dakar|
Singapore|Singapore|SG|Singapore|3547809|1.290|103.850|Asia/Singapore|新加坡
Ljubljana|Ljubljana|SI|Slovenia|255115|46.051|14.505|Europe/Ljubljana|
Seoul|Seoul|KR|South Korea|10349312|37.566|126.978|Asia/Seoul|서울
Madrid|Madrid|ES|Spain|3255944|40.417|-3.703|Europe/Madrid|
Stockholm|Stockholm|SE|Sweden|1515017|59.329|18.069|Europe/Stockholm|
Bern|Bern|CH|Switzerland|121631|46.948|7.447|Europe/Zurich|Berne,Berna
"""

COLUMNS = [
    Column("geoname_id", "text", "Geoname ID", annotations={"id": True}),
    Column("name", "text", "Name", annotations={"sortable": True}),
    Column("ascii_name", "text", "ASCII Name"),
    Column("alternate_names", "text", "Alternate Names", annotations={"multivalued": ","}),
    Column("country_code", "text", "Country Code"),
    Column("cou_name_en", "text", "Country name EN", annotations={"facet": True, "disjunctive": True}),
    Column("population", "int", "Population"),
    Column("elevation", "text", "Elevation"),
    Column("timezone", "text", "Timezone", annotations={"facet": True, "hierarchical": "/"}),
    Column("modification_date", "date", "Modification date"),
    Column("coordinates", "geo_point_2d", "Coordinates"),
]


def capitals() -> tuple[DatasetState, list[dict[str, Any]]]:
    """Return the dataset and its rows."""
    state = DatasetState(
        "world-capitals",
        "Capitals of the world",
        COLUMNS,
        description="<p>Capitals with their population, a small dataset for tests.</p>",
        theme=["Places"],
        keyword=["city", "capital", "world"],
        unique_id=("geoname_id",),
    )
    rows = []
    for number, line in enumerate(_ROWS.strip().splitlines()):
        name, ascii_name, code, country, population, lat, lon, zone, others = line.split("|")
        rows.append(
            {
                "geoname_id": str(1_000_000 + number),
                "name": name,
                "ascii_name": ascii_name,
                "alternate_names": others.split(",") if others else None,
                "country_code": code,
                "cou_name_en": country,
                "population": int(population),
                "elevation": None,
                "timezone": zone,
                "modification_date": f"20{10 + number % 15:02}-{1 + number % 12:02}-{1 + number % 28:02}",
                "coordinates": {"lon": float(lon), "lat": float(lat)},
            }
        )
    return state, rows
