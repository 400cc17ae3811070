package user

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// How many events a page of the history has, and the first page about a user.
const (
	historyLength = 25
	recentLength  = 6
)

// happened is an event of the history.
type happened struct {
	ID, Type, Text string
	When           time.Time
	Who            string
	Behind         string
	Door           string
	Reason         string
	Erased         bool
	Changes        []difference
}

// historyView is a page of what happened to a user.
type historyView struct {
	*sheet
	HistoryPath string
	Events      []happened
	Types       []choice
	Type        string
	Next        string
	First       string
	Short       bool // the page is short because so many events were looked at
}

// showHistory shows what happened to a user, the newest first. The first page about a
// user has its beginning as a part.
func (p *pages) showHistory(r *page.Request) (web.Response, error) {
	number := r.Number("number")
	q := r.URL.Query()
	v := historyView{Type: q.Get("type"), Types: types}
	limit := historyLength
	if r.Partial() {
		limit = recentLength
	} else {
		s, err := read(r, "history")
		if err != nil {
			return web.Response{}, err
		}
		v.sheet = s
	}
	var only []directory.EventType
	if v.Type != "" {
		only = []directory.EventType{directory.EventType(v.Type)}
	}
	list, err := r.Kit.Service.UserHistory(r.Context(), r.Call(), directory.ByNumber(number), only, q.Get("cursor"), limit)
	if err != nil {
		return web.Response{}, err
	}
	for i := range list.Events {
		v.Events = append(v.Events, happenedOf(&list.Events[i]))
	}
	v.HistoryPath = "/users/" + numberText(number) + "/history"
	if list.More {
		v.Next, v.Short = page.Link(v.HistoryPath, "type", v.Type, "cursor", list.Next), len(list.Events) < limit
	}
	if q.Get("cursor") != "" {
		v.First = page.Link(v.HistoryPath, "type", v.Type)
	}
	if r.Partial() {
		return r.Fragment(p.history, "recent", page.View{Data: &v})
	}
	return r.Page(p.history, v.view("History", &v))
}

// types are the types of events of users, in words.
var types = func() []choice {
	list := []choice{{"", "Everything"}}
	for _, t := range directory.EventTypes() {
		if noun, verb, _ := strings.Cut(string(t), "."); noun == "user" {
			list = append(list, choice{string(t), sentence(verb)})
		}
	}
	return list
}()

// sentence writes a word with underscores for people.
func sentence(word string) string {
	text := strings.ReplaceAll(word, "_", " ")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// happenedOf is an event for people.
func happenedOf(e *directory.Event) happened {
	_, verb, _ := strings.Cut(string(e.Type), ".")
	h := happened{ID: e.ID, Type: string(e.Type), Text: sentence(verb), When: e.Time, Who: e.Actor, Behind: e.OnBehalfOf, Door: e.Door.String(), Reason: e.Reason, Erased: e.Erased()}
	h.Changes = changesOf(e.Payload)
	return h
}

// changesOf are the differences that an event keeps, in its order.
func changesOf(payload []byte) (list []difference) {
	var contents struct {
		Changes json.RawMessage `json:"changes"`
	}
	if json.Unmarshal(payload, &contents) != nil || len(contents.Changes) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(contents.Changes))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for d.More() {
		name, err := d.Token()
		var pair []json.RawMessage
		if err != nil || d.Decode(&pair) != nil {
			return list
		}
		if len(pair) == 2 {
			list = append(list, difference{Label: sentence(labelOf(name)), Before: valueText(name, pair[0]), After: valueText(name, pair[1])})
		}
	}
	return list
}

func labelOf(token json.Token) string {
	name, _ := token.(string)
	for i := range fields {
		if fields[i].Name == name {
			return fields[i].Label
		}
	}
	return name
}

// valueText is a value of a field for people, as the pages about a user write it;
// nothing for none.
func valueText(name json.Token, raw json.RawMessage) string {
	var text string
	var phones []directory.Phone
	var address directory.Address
	switch none := string(raw); {
	case none == "" || none == "null" || none == "{}" || none == "[]" || none == "0" || none == "false" || none == `""`:
		return ""
	case none == "true":
		return "yes"
	case raw[0] == '"' && json.Unmarshal(raw, &text) == nil:
		return text
	case name == directory.FieldPhones.String() && json.Unmarshal(raw, &phones) == nil:
		return phoneLines(phones)
	case name == directory.FieldAddress.String() && json.Unmarshal(raw, &address) == nil:
		parts := []string{address.Line1, address.Line2, strings.TrimSpace(address.Zip + " " + address.City), address.Region, address.Country}
		return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
	}
	return string(raw)
}
