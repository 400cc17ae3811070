package overview

import (
	"fmt"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/console/page"
	"github.com/usher-id/usher/internal/directory"
)

// slowAnswer is how long a database takes that is worth a word.
const slowAnswer = 250 * time.Millisecond

// The charts' own units.
const (
	chartWidth  = 600
	chartHeight = 90
)

// chart is a drawing of one series, with what it says in words.
type chart struct {
	Line, Fill, Limit string // paths; "" for none
	Bars              []bar
	Words             string
	First, Last       string // days at its ends
	Width, Height     int
}

// bar is one day of a chart of bars.
type bar struct {
	X, Y, Width, Height string
	Words               string
}

// dayText writes a day since 1970.
func dayText(day int64) string { return time.Unix(day*24*3600, 0).UTC().Format("2006-01-02") }

func unit(v float64) string { return fmt.Sprintf("%.1f", v) }

// line draws the seats of a pool that were used, and its limit. Days that nobody noted
// are bridged.
func line(days []directory.PoolDay, today int64) chart {
	if len(days) == 0 {
		return chart{}
	}
	first, last, top := days[0], days[len(days)-1], int64(1)
	for _, d := range days {
		top = max(top, d.Used, d.Total)
	}
	begin := today - directory.OverviewDays + 1
	x := func(day int64) string {
		return unit(float64(day-begin) / float64(directory.OverviewDays-1) * chartWidth)
	}
	y := func(n int64) string { return unit(2 + (1-float64(n)/float64(top))*(chartHeight-4)) }
	var used, limit strings.Builder
	for i, d := range days {
		step := "L"
		if i == 0 {
			step = "M"
		}
		fmt.Fprintf(&used, "%s%s %s", step, x(d.Day), y(d.Used))
		switch {
		case d.Total < 0:
		case i == 0 || days[i-1].Total < 0:
			fmt.Fprintf(&limit, "M%s %s", x(d.Day), y(d.Total))
		default:
			fmt.Fprintf(&limit, "H%sV%s", x(d.Day), y(d.Total))
		}
	}
	if len(days) == 1 { // one day is a point: draw it as wide as a day
		fmt.Fprintf(&used, "h-%s", unit(chartWidth/float64(directory.OverviewDays)))
	}
	c := chart{Line: used.String(), Limit: limit.String(), First: dayText(begin), Last: dayText(today), Width: chartWidth, Height: chartHeight}
	c.Fill = fmt.Sprintf("%sV%dH%sZ", c.Line, chartHeight, x(first.Day))
	if len(days) == 1 {
		c.Fill = ""
	}
	c.Words = fmt.Sprintf("%s: %s used on %s, %s used now", first.Type, page.Number(first.Used), dayText(first.Day), page.Number(last.Used))
	return c
}

// bars draws how much happened on each day.
func bars(days []directory.EventDay) chart {
	if len(days) == 0 {
		return chart{}
	}
	most := days[0]
	for _, d := range days {
		if d.Events > most.Events {
			most = d
		}
	}
	c := chart{First: dayText(days[0].Day), Last: dayText(days[len(days)-1].Day), Width: chartWidth, Height: chartHeight}
	each := float64(chartWidth) / float64(len(days))
	for i, d := range days {
		if d.Events == 0 {
			continue
		}
		height := max(1.5, float64(d.Events)/float64(most.Events)*(chartHeight-2))
		c.Bars = append(c.Bars, bar{X: unit(float64(i) * each), Y: unit(chartHeight - height), Width: unit(max(each*0.8, 1)), Height: unit(height),
			Words: dayText(d.Day) + ": " + page.Plural(d.Events, "change", "changes")})
	}
	c.Words = "No changes"
	if most.Events > 0 {
		c.Words = fmt.Sprintf("Changes by day from %s to %s, most on %s: %s", c.First, c.Last, dayText(most.Day), page.Number(most.Events))
	}
	return c
}
