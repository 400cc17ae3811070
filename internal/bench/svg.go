package bench

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// Series is one line, or one bar of each group, of a chart. NaN is no value.
type Series struct {
	Name   string
	Values []float64
}

// Chart is a drawing of series over the same labels. The picture is SVG that reads
// on a light and on a dark page, with a title and a description for who does not see
// it.
type Chart struct {
	Title  string
	Unit   string // of the values
	Axis   string // what the labels are
	Labels []string
	Series []Series
	Bars   bool // bars in groups; lines otherwise
	Log    bool // logarithmic values
}

// The measures of a chart in pixels.
const (
	chartWidth, chartHeight = 760, 380
	chartLeft, chartRight   = 64, 16
	chartTop, chartBottom   = 44, 84
	plotWidth, plotHeight   = chartWidth - chartLeft - chartRight, chartHeight - chartTop - chartBottom
	legendLetter            = 7 // about as wide as a letter of the legend
)

// palette has a colour for each series; each is told from the others without red
// and green, and from both backgrounds (Okabe and Ito, black left out).
var palette = []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999933", "#888888"}

// chartStyle has the colours of what is no series.
const chartStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #d0d7de } .page { fill: #ffffff }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .grid { stroke: #3d444d } .page { fill: #0d1117 } }
</style>
`

// SVG draws the chart.
func (c *Chart) SVG() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="title desc">`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n%s", escape(c.Title), escape(c.words()), chartStyle)
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d" rx="6"/>`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, `<text class="title" x="%d" y="24">%s</text>`+"\n", chartLeft-48, escape(c.Title))
	fmt.Fprintf(&b, `<text x="%d" y="24" text-anchor="end">%s</text>`+"\n", chartWidth-chartRight, escape(c.Unit))
	s := c.scale()
	for _, mark := range s.marks {
		y := s.y(mark)
		fmt.Fprintf(&b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			chartLeft, chartWidth-chartRight, y, y, chartLeft-6, y+4, short(mark))
	}
	for i, label := range c.Labels {
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", c.x(i), chartTop+plotHeight+18, escape(label))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", chartLeft+plotWidth/2, chartTop+plotHeight+36, escape(c.Axis))
	x, y := 16, chartHeight-26
	for i, series := range c.Series {
		colour := palette[i%len(palette)]
		if c.Bars {
			c.bars(&b, s, i, colour)
		} else {
			c.line(&b, s, series, colour)
		}
		width := 28 + legendLetter*len(series.Name)
		if x+width > chartWidth {
			x, y = 16, y+16
		}
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="10" height="10" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", x, y, colour, x+14, y+9, escape(series.Name))
		x += width
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// words says the chart in words.
func (c *Chart) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s by %s.", c.Unit, c.Axis)
	for _, s := range c.Series {
		fmt.Fprintf(&b, " %s:", s.Name)
		for i, v := range s.Values {
			if !math.IsNaN(v) {
				fmt.Fprintf(&b, " %s %s;", c.Labels[i], short(v))
			}
		}
	}
	return strings.TrimSuffix(b.String(), ";") + "."
}

// x is the middle of a label's place.
func (c *Chart) x(i int) float64 {
	return chartLeft + plotWidth*(float64(i)+0.5)/float64(len(c.Labels))
}

func (c *Chart) bars(b *strings.Builder, s scale, series int, colour string) {
	group := plotWidth / float64(len(c.Labels)) * 0.84
	width := group / float64(len(c.Series))
	for i, v := range c.Series[series].Values {
		if math.IsNaN(v) {
			continue
		}
		y := s.y(v)
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>%s, %s: %s</title></rect>`+"\n",
			c.x(i)-group/2+float64(series)*width, y, math.Max(width-1, 1), chartTop+plotHeight-y, colour, escape(c.Series[series].Name), escape(c.Labels[i]), short(v))
	}
}

func (c *Chart) line(b *strings.Builder, s scale, series Series, colour string) {
	var points []string
	for i, v := range series.Values {
		if math.IsNaN(v) {
			continue
		}
		points = append(points, fmt.Sprintf("%.1f,%.1f", c.x(i), s.y(v)))
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"><title>%s, %s: %s</title></circle>`+"\n", c.x(i), s.y(v), colour, escape(series.Name), escape(c.Labels[i]), short(v))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(points, " "), colour)
}

// scale is how values become heights.
type scale struct {
	low, high float64
	log       bool
	marks     []float64
}

// scale fits the values, with marks at round numbers.
func (c *Chart) scale() scale {
	low, high := math.Inf(1), 0.0
	for _, s := range c.Series {
		for _, v := range s.Values {
			if !math.IsNaN(v) && (v > 0 || !c.Log) {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
	}
	if high <= 0 {
		low, high = 1, 1
	}
	s := scale{log: c.Log, high: high}
	if c.Log {
		s.low, s.high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
		if s.low == s.high {
			s.high *= 10
		}
		for mark := s.low; mark <= s.high*1.001; mark *= 10 {
			s.marks = append(s.marks, mark)
		}
		return s
	}
	step := math.Pow(10, math.Floor(math.Log10(high)))
	for _, part := range []float64{0.1, 0.2, 0.5, 1} {
		if high/(step*part) <= 6 {
			step *= part
			break
		}
	}
	s.high = math.Ceil(high/step-1e-9) * step
	for i := 0; float64(i)*step <= s.high*1.001; i++ {
		s.marks = append(s.marks, float64(i)*step)
	}
	return s
}

// y is the height of a value on the picture, from above.
func (s scale) y(v float64) float64 {
	part := v / s.high
	if s.log {
		part = math.Log10(math.Max(v, s.low)/s.low) / math.Log10(s.high/s.low)
	}
	return chartTop + plotHeight*(1-math.Min(math.Max(part, 0), 1))
}

// short prints a value of an axis.
func short(v float64) string {
	text := fmt.Sprintf("%.3g", v)
	if v >= 1000 {
		text = groups(v)
	}
	return text
}

func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		panic(err) // a strings.Builder takes everything
	}
	return b.String()
}
