package directory

import (
	"strings"
	"testing"
)

func TestValidCountry(t *testing.T) {
	for _, code := range []string{"CA", "US", "DE", "GB", "AW"} {
		if !ValidCountry(code) {
			t.Errorf("%s is refused", code)
		}
	}
	for _, code := range []string{"", "ca", "UK", "CAN", "XX", "ZZ", "C", "C\x00"} {
		if ValidCountry(code) {
			t.Errorf("%q is accepted", code)
		}
	}
}

func TestValidRegion(t *testing.T) {
	tests := []struct {
		country, region string
		want            bool
	}{
		{"CA", "ON", true}, {"CA", "SK", true}, {"US", "NY", true}, {"US", "PR", true}, {"GB", "ENG", true},
		{"AT", "9", true}, {"DE", "BY", true}, {"MX", "JAL", true},
		{"CA", "NY", false}, {"CA", "on", false}, {"CA", "", false}, {"CA", "CA-ON", false}, {"CA", " ON", false},
		{"CA", "ON AB", false}, {"CA", "O", false}, {"XX", "ON", false}, {"", "ON", false}, {"ca", "ON", false},
		{"AW", "1", true}, {"AW", "ABC", true}, {"AW", "ABCD", false}, {"AW", "abc", false}, {"AW", "", false},
	}
	for _, tt := range tests {
		if got := ValidRegion(tt.country, tt.region); got != tt.want {
			t.Errorf("ValidRegion(%q, %q) = %v, want %v", tt.country, tt.region, got, tt.want)
		}
	}
}

// TestSubdivisionTable checks the generated table as a whole.
func TestSubdivisionTable(t *testing.T) {
	regions := 0
	for country, list := range subdivisions {
		if len(country) != 2 || !isRegionCode(country) {
			t.Errorf("country %q", country)
		}
		for _, region := range strings.Fields(list) {
			regions++
			if !ValidRegion(country, region) {
				t.Errorf("%s-%s is refused", country, region)
			}
		}
	}
	if len(subdivisions) != 249 || regions < 5000 {
		t.Errorf("iso-codes %s: %d countries and %d subdivisions, want 249 and over 5000", isoCodesVersion, len(subdivisions), regions)
	}
}
