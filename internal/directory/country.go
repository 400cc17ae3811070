package directory

import "strings"

//go:generate go run gen_country/main.go -in /usr/share/iso-codes/json -version 4.15.0 -out country_table.go

// ValidCountry reports whether code is an officially assigned ISO 3166-1
// alpha-2 code, in capitals as the standard has them.
func ValidCountry(code string) bool {
	_, found := subdivisions[code]
	return found
}

// ValidRegion reports whether region is the part after the hyphen of an ISO
// 3166-2 code of the country, in capitals: ("CA", "ON") for CA-ON. Subdivisions
// of every level count. A country for which ISO 3166-2 lists none (small
// territories such as AW or GI) takes any text of the form that the standard
// gives the part: one to three capital letters or digits. An unknown country
// has no region.
func ValidRegion(country, region string) bool {
	list, found := subdivisions[country]
	if !found || !isRegionCode(region) {
		return false
	}
	return list == "" || strings.Contains(list, " "+region+" ")
}

// isRegionCode is the form of the second part of an ISO 3166-2 code.
func isRegionCode(region string) bool {
	for _, c := range []byte(region) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(region) >= 1 && len(region) <= 3
}
