package scim

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// shown are the attributes that a projection shows, without those that are
// always there.
func shown(r *resource, p *projection) []string {
	var names []string
	r.each(func(a *attribute) {
		if p.shows(a.id) && a.returns() != always {
			names = append(names, strings.Replace(a.path(), urnEnterprise, "enterprise", 1))
		}
	})
	return names
}

func TestAttributesAskedFor(t *testing.T) {
	for asked, want := range map[string]string{
		"userName":                       "userName",
		"USERNAME":                       "userName",
		urnUser + ":userName":            "userName",
		"userName,title":                 "userName title",
		"userName|title|,":               "userName title",
		"name":                           "name name.formatted name.familyName name.givenName name.middleName name.honorificPrefix name.honorificSuffix",
		"name.familyName":                "name name.familyName",
		"name.familyName,name.givenName": "name name.familyName name.givenName",
		"emails.value":                   "emails emails.value",
		urnEnterprise + ":department":    "enterprise:department",
		urnEnterprise + ":manager.value": "enterprise:manager enterprise:manager.value",
		urnEnterprise: "enterprise:employeeNumber enterprise:costCenter enterprise:organization enterprise:division " +
			"enterprise:department enterprise:manager enterprise:manager.value enterprise:manager.$ref enterprise:manager.displayName",
		"password":       "",
		"password,title": "title",
		"id":             "",
		"unheardOf":      "",
		"department":     "",
		"meta.version":   "meta meta.version",
	} {
		p, err := userResource.projected(strings.Split(asked, "|"), nil)
		if err != nil {
			t.Errorf("%s: %v", asked, err)
			continue
		}
		if got := strings.Join(shown(userResource, &p), " "); got != want {
			t.Errorf("%s shows %s, want %s", asked, got, want)
		}
		if !p.shows(atID) || !p.shows(atSchemas) {
			t.Errorf("%s hides the id or the schemas", asked)
		}
		if p.shows(atPassword) {
			t.Errorf("%s shows the password", asked)
		}
		if p.showsAny(enterpriseSchema) != strings.Contains(want, "enterprise:") {
			t.Errorf("%s: the extension is shown: %t", asked, p.showsAny(enterpriseSchema))
		}
	}
}

func TestAttributesExcluded(t *testing.T) {
	all := func(without ...string) []string {
		var names []string
		userResource.each(func(a *attribute) {
			if name := strings.Replace(a.path(), urnEnterprise, "enterprise", 1); a.returns() == byDefault && !slices.Contains(without, name) {
				names = append(names, name)
			}
		})
		return names
	}
	for excluded, without := range map[string]string{
		"title":                    "title",
		"title, userName":          "title userName",
		"name.familyName":          "name.familyName",
		"id,schemas":               "",
		"password":                 "",
		"unheardOf":                "",
		"meta":                     "meta meta.resourceType meta.created meta.lastModified meta.location meta.version",
		"groups":                   "groups groups.value groups.$ref groups.display groups.type",
		"manager":                  "",
		urnEnterprise + ":manager": "enterprise:manager enterprise:manager.value enterprise:manager.$ref enterprise:manager.displayName",
		"emails.value,emails.type,emails.primary,emails.display": "emails emails.value emails.type emails.primary emails.display",
		urnEnterprise: "enterprise:employeeNumber enterprise:costCenter enterprise:organization enterprise:division " +
			"enterprise:department enterprise:manager enterprise:manager.value enterprise:manager.$ref enterprise:manager.displayName",
	} {
		p, err := userResource.projected(nil, []string{excluded})
		if err != nil {
			t.Errorf("%s: %v", excluded, err)
			continue
		}
		if got, want := strings.Join(shown(userResource, &p), " "), strings.Join(all(strings.Fields(without)...), " "); got != want {
			t.Errorf("without %s: shows %s, want %s", excluded, got, want)
		}
		if !p.shows(atID) || !p.shows(atSchemas) || p.shows(atPassword) {
			t.Errorf("without %s: what is always or never returned", excluded)
		}
	}
}

func TestProjectionOfNothing(t *testing.T) {
	for _, list := range [][]string{nil, {""}, {" , ,"}} {
		p, err := userResource.projected(list, list)
		if err != nil || p != userResource.usual || !p.shows(atUserName) || !p.showsAny(enterpriseSchema) {
			t.Errorf("%q: %v, %v", list, p, err)
		}
	}
	for _, c := range [][2]string{{"title", "userName"}, {"a b", ""}, {"", `emails[type eq "work"]`}, {"1", ""}, {strings.Repeat("title,", maxProjected+1), ""}} {
		_, err := userResource.projected([]string{c[0]}, []string{c[1]})
		if r, ok := errors.AsType[*refusal](err); !ok || r.keyword != invalidValue {
			t.Errorf("%.40q: %v", c, err)
		}
	}
}

// TestProjectionsAreWhole: whatever is asked, no sub-attribute is shown without
// its attribute, no complex attribute without a sub-attribute, and what is
// excluded is what is not asked for.
func TestProjectionsAreWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(7644, 39))
	for _, r := range resources {
		var names []string
		r.each(func(a *attribute) { names = append(names, a.path()) })
		for range 2000 {
			var some []string
			for range 1 + random.IntN(8) {
				some = append(some, names[random.IntN(len(names))])
			}
			asked, err := r.projected(some, nil)
			if err != nil {
				t.Fatal(err)
			}
			excluded, err := r.projected(nil, some)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range []*projection{&asked, &excluded} {
				r.each(func(a *attribute) {
					if a.parent != nil && p.shows(a.id) && !p.shows(a.parent.id) || len(a.subs) > 0 && p.shows(a.id) != p.showsSub(a) {
						t.Errorf("%s of %q", a.path(), some)
					}
				})
			}
			r.each(func(a *attribute) {
				if len(a.subs) == 0 && a.returns() == byDefault && asked.shows(a.id) == excluded.shows(a.id) {
					t.Errorf("%s is asked for by %q: %t, and shown without: %t", a.path(), some, asked.shows(a.id), excluded.shows(a.id))
				}
			})
		}
	}
}
