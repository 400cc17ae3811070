package edubrite

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/usher-id/usher/internal/web"
)

// answerXML is an answer as a client reads it: what appendEnvelope, appendUsers and
// appendGroups write (dossier 4).
type answerXML struct {
	XMLName  xml.Name     `xml:"response"`
	Code     string       `xml:"code,attr"`
	Messages []messageXML `xml:"msgs>msg"`
	Users    *usersXML    `xml:"data>users"`
	Groups   *groupsXML   `xml:"data>groups"`
}

type messageXML struct {
	Code  string `xml:"code"`
	Value string `xml:"value"`
}

// listXML is what pages have in common.
type listXML struct {
	Items int64 `xml:"numItems,attr"`
	Size  int64 `xml:"pageSize,attr"`
}

type usersXML struct {
	listXML
	List []userXML `xml:"user"`
}

type groupsXML struct {
	listXML
	List []groupXML `xml:"group"`
}

type groupXML struct {
	ID   string `xml:"id,attr"`
	Name string `xml:"name"`
}

type userXML struct {
	ID         string        `xml:"id,attr"`
	SiteRole   string        `xml:"siteRole,attr"`
	Status     string        `xml:"status,attr"`
	UserName   string        `xml:"userName"`
	FirstName  string        `xml:"firstName"`
	LastName   string        `xml:"lastName"`
	Email      string        `xml:"email"`
	Properties []propertyXML `xml:"customProperties>prop"`
}

type propertyXML struct {
	Name  string `xml:"name"`
	Value string `xml:"value"`
}

// properties are a user's custom properties as this door keeps them.
func (u *userXML) properties() map[string]json.RawMessage {
	own := make(map[string]json.RawMessage, len(u.Properties)+1)
	for _, p := range u.Properties {
		own[propertyPrefix+p.Name] = jsonText(p.Value)
	}
	return own
}

// readEnvelope reads an answer; one that is no success is an error with the message.
func readEnvelope(q *web.RemoteRequest, a *web.RemoteAnswer) (*answerXML, error) {
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	isXML := kind == "text/xml" || kind == "application/xml" || strings.HasSuffix(kind, "+xml")
	if a.Status != http.StatusOK && !isXML {
		return nil, q.Refused(a)
	}
	if !isXML {
		return nil, q.Unusable(a, "the answer's content type is %q and not XML: is the base URL right?", kind)
	}
	e, err := readXML(a.Body)
	if err != nil {
		if a.Status != http.StatusOK {
			return nil, q.Refused(a)
		}
		return nil, q.Unusable(a, "the answer is not valid XML: %v", err)
	}
	if a.Status != http.StatusOK || e.Code != "0" {
		said := ""
		for _, m := range e.Messages {
			said += " " + m.Code + " " + m.Value
		}
		return nil, q.Unusable(a, "the answer is %d:%s", a.Status, strings.ToValidUTF8(said, "\uFFFD"))
	}
	return e, nil
}

// maxXMLDepth is how deep an answer may be nested; the vendor's go to 7.
const maxXMLDepth = 16

var errDeep = errors.New("it is nested too deeply")

// readXML reads an envelope. encoding/xml knows no entities but the five of XML, reads
// nothing from elsewhere, and refuses text that is not UTF-8.
func readXML(body []byte) (*answerXML, error) {
	scan := xml.NewDecoder(bytes.NewReader(body))
	for depth := 0; ; {
		token, err := scan.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		if depth > maxXMLDepth {
			return nil, errDeep
		}
	}
	e := new(answerXML)
	if err := xml.Unmarshal(body, e); err != nil {
		return nil, err
	}
	return e, nil
}
