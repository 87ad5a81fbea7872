package alerts

import "github.com/asgood-dev/asgood/alerts/publish"

// Desk is where incidents and maintenances are edited and published.
func (s *Service) Desk() *publish.Desk { return s.desk }
