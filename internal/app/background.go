package app

import "context"

// inBackground adds what runs beside the doors while Run does: it ends when its
// context does.
func (a *App) inBackground(run func(context.Context) error) { a.background = append(a.background, run) }
