package page

import "embed"

//go:embed assets
var assetFiles embed.FS

//go:embed templates
var templateFiles embed.FS
