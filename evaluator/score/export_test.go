package score

// DetectorRevision is for tests of other packages.
const DetectorRevision = detectorRevision
