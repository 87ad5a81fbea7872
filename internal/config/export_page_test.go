package config

// SafeSVG is what is kept of a drawing.
var SafeSVG = safeSVG
